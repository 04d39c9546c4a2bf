"""`topscoop model train`: a teacher learns from purchases, a student from purchases and the teacher."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from model_registry.adapters.atomic_file import write_atomically
from model_registry.adapters.dataset_files import Dataset
from model_registry.adapters.teacher_files import teacher_file, teacher_opinions
from model_registry.adapters.teacher_graph import teacher_network
from model_registry.adapters.torch_student import Student
from model_registry.adapters.torch_teacher import Teacher, pretrained_file
from model_registry.adapters.torch_training import Recipe, Trainer, device
from model_registry.adapters.training_folder import TrainedStudent, pin_options, save_student
from model_registry.context_model import fit_context_model
from model_registry.encoding import best_sellers, encode
from model_registry.errors import UnusableCheckpoint, UnusableDataset
from model_registry.examples import Labelled, Pairs
from model_registry.network import StudentShape
from model_registry.orders import Orders
from model_registry.progress import ProgressBar

FINISHED_STUDENT = "student-final.pt"
TEACHER_NOTE = "teacher.json"
_VALIDATE_EVERY = 500


@dataclass(frozen=True)
class _Chain:
    """One chain's part in the training."""

    dataset: Dataset
    orders: Orders
    learning: Labelled
    validation: Labelled
    pairs: Pairs | None


def run(args: argparse.Namespace) -> int:
    """Train or go on training, and leave one student per chain in the training folder.

    Raises:
        UnusableDataset: A data folder is unfinished, or two do not fit each other.
        UnusableCheckpoint: The training folder was begun with other options.
    """
    began = time.monotonic()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    pairs = {one.tenant: one for one in map(_open_pairs, args.pairs)}
    chains = [_open(Dataset(folder), args.limit, pairs) for folder in args.data]
    _check_together(chains)
    common = {
        "datasets": {chain.dataset.tenant: chain.dataset.digest for chain in chains},
        "limit": args.limit,
        "batch": args.batch,
        "seed": args.seed,
    }
    teaching = common | {"teacher_steps": args.teacher_steps, "teacher_size": args.teacher_size}
    options = teaching | {
        "teacher": None if args.teacher is None else str(args.teacher),
        "student_steps": args.student_steps,
        "rate": args.rate,
        "soft_weight": args.soft_weight,
        "pairs": [Dataset(folder).digest for folder in args.pairs],
        "pair_weight": args.pair_weight if args.pairs else 0.0,
        "begin_with": None if args.begin_with is None else str(args.begin_with),
    }
    flavours = {chain.dataset.tenant: len(chain.dataset.catalogue.flavours) for chain in chains}
    taught: dict[str, Any] = {}
    if args.teacher_steps:
        pin_options(args.out, "teacher", teaching)
        _train_teacher(args, chains, flavours)
    if args.student_steps:
        pin_options(args.out, "student", options)
        school = args.out if args.teacher_steps else args.teacher
        if school is not None:
            taught = teacher_note(school)
            chains = [_with_opinions(school, chain, args.threads) for chain in chains]
        student, history = _train_student(args, chains, flavours)
    seconds = round(time.monotonic() - began, 1)
    for chain in chains if args.student_steps else ():
        note = options | {
            "interactions": int(chain.orders.somebody.sum()),
            "seconds_of_last_run": seconds,
            "device": str(device()),
            "student_history": history,
        }
        save_student(args.out, _trained(chain, student, note | taught))
    result = {"training": str(args.out), "chains": list(flavours), "seconds": seconds, **options}
    print(
        json.dumps(result) if args.json else f"{args.out}: {', '.join(flavours)} trained in {seconds:.0f} s"
    )
    return 0


def _open_pairs(folder: Path) -> Pairs:
    dataset = Dataset(folder)
    split = dataset.split("pairs")
    return Pairs(dataset.tenant, split.frames, encode(split.orders, dataset.catalogue.context))


def _open(dataset: Dataset, limit: int | None, pairs: dict[str, Pairs]) -> _Chain:
    train, validation = dataset.split("train"), dataset.split("validation")
    orders = train.orders if limit is None else train.orders.take(slice(0, limit))
    encodings = dataset.catalogue.context
    return _Chain(
        dataset,
        orders,
        Labelled(dataset.tenant, train.frames.first(len(orders)), encode(orders, encodings), orders.purchase),
        Labelled(
            dataset.tenant,
            validation.frames,
            encode(validation.orders, encodings),
            validation.orders.purchase,
        ),
        pairs.get(dataset.tenant),
    )


def _check_together(chains: list[_Chain]) -> None:
    """Refuse what cannot share a trunk.

    Sharing one also shares what it learned: only data sets of one owner may be trained together.
    """
    if len({chain.dataset.tenant for chain in chains}) != len(chains):
        raise UnusableDataset("two data sets are of the same chain", remedy="Give each chain once.")
    if len({chain.dataset.size for chain in chains}) != 1:
        raise UnusableDataset(
            "the data sets have frames of different sizes", remedy="Make one of them again."
        )
    if len({chain.learning.context.shape[1] for chain in chains}) != 1:
        raise UnusableDataset("the data sets have different contexts", remedy="Train the chains one by one.")


def _train_teacher(args: argparse.Namespace, chains: list[_Chain], flavours: dict[str, int]) -> None:
    context = chains[0].learning.context.shape[1]
    teacher = Teacher(args.teacher_size, context, flavours, pretrained_file())
    recipe = Recipe(
        steps=args.teacher_steps,
        batch=args.batch,
        rate=1.5e-3,
        body_rate=0.4,
        average=0.997,
        validate_every=max(_VALIDATE_EVERY, args.teacher_steps // 5),
    )
    groups = [(list(teacher.body()), recipe.body_rate), (list(teacher.heads.parameters()), 1.0)]
    trainer = Trainer(
        teacher,
        groups=groups,
        learning=[chain.learning for chain in chains],
        validation=[chain.validation for chain in chains],
        recipe=recipe,
        checkpoint=args.out / "teacher.pt",
        seed=args.seed,
    )
    history = trainer.run(ProgressBar("teacher step").update)
    note = {"teacher_steps": args.teacher_steps, "teacher_history": history}
    for chain in chains:
        path = teacher_file(args.out, chain.dataset.tenant)
        path.parent.mkdir(exist_ok=True)
        model = teacher_network(teacher.cpu(), chain.dataset.tenant, chain.dataset.size)
        write_atomically(path, model.SerializeToString())
    write_atomically(args.out / TEACHER_NOTE, json.dumps(note).encode())


def teacher_note(school: Path) -> dict[str, Any]:
    """Read how a finished teacher came to be.

    Raises:
        UnusableCheckpoint: The folder holds no finished teacher.
    """
    path = school / TEACHER_NOTE
    if not path.exists():
        raise UnusableCheckpoint(
            f"{school} holds no finished teacher", remedy="Finish it first, or train without --teacher."
        )
    note: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return note


def _with_opinions(school: Path, chain: _Chain, threads: int) -> _Chain:
    """Ask the teacher once about every frame; what it said is kept beside it."""
    path = school / f"opinions-{chain.dataset.tenant}-{len(chain.orders)}.npy"
    soft: NDArray[np.float32]
    if path.exists():
        soft = np.load(path)
    else:
        bar = ProgressBar(f"opinions on {chain.dataset.tenant}")
        soft = teacher_opinions(
            teacher_file(school, chain.dataset.tenant),
            chain.learning.frames,
            chain.learning.context,
            bar.update,
            threads,
        )
        part = path.with_name(f".{path.name}.part.npy")
        np.save(part, soft)
        part.replace(path)
    return replace(chain, learning=replace(chain.learning, soft=soft))


def _train_student(
    args: argparse.Namespace, chains: list[_Chain], flavours: dict[str, int]
) -> tuple[Student, list[dict[str, float]]]:
    shape = StudentShape(size=chains[0].dataset.size, context=chains[0].learning.context.shape[1])
    student = Student(shape, flavours)
    if args.begin_with is not None:
        known = finished_student(args.begin_with)
        # Of the heads only those of the chains that are trained now; a new chain's head begins at random.
        student.load_state_dict(
            {name: known.get(name, value) for name, value in student.state_dict().items()}
        )
    recipe = Recipe(
        steps=args.student_steps,
        batch=args.batch,
        rate=args.rate,
        soft_weight=args.soft_weight if chains[0].learning.soft is not None else 0.0,
        pairs=args.batch // 8 if args.pairs else 0,
        pair_weight=args.pair_weight,
        validate_every=max(_VALIDATE_EVERY, args.student_steps // 10),
    )
    trainer = Trainer(
        student,
        groups=[(list(student.parameters()), 1.0)],
        learning=[chain.learning for chain in chains],
        validation=[chain.validation for chain in chains],
        pairs=[chain.pairs for chain in chains if chain.pairs is not None],
        recipe=recipe,
        checkpoint=args.out / "student.pt",
        seed=args.seed,
    )
    history = trainer.run(ProgressBar("student step").update)
    torch.save(student.state_dict(), args.out / FINISHED_STUDENT)
    return student, history


def finished_student(folder: Path) -> dict[str, torch.Tensor]:
    """Read the averaged weights of a finished student.

    Raises:
        UnusableCheckpoint: The folder holds none.
    """
    path = folder / FINISHED_STUDENT
    if not path.exists():
        raise UnusableCheckpoint(
            f"{folder} holds no finished student", remedy="Finish that training first, or begin anew."
        )
    weights: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return weights


def _trained(chain: _Chain, student: Student, note: dict[str, Any]) -> TrainedStudent:
    there = chain.orders.somebody
    count = len(chain.dataset.catalogue.flavours)
    purchase = chain.orders.purchase
    return TrainedStudent(
        chain.dataset.catalogue,
        student.shape,
        student.cpu().plain_weights(chain.dataset.tenant),
        fit_context_model(chain.learning.context[there], purchase[there], count),
        tuple(best_sellers(purchase, count)),
        note | {"shape": asdict(student.shape)},
    )
