"""What touches the world: files, processes, torch, ONNX Runtime."""
