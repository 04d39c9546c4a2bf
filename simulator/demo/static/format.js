// Numbers for people.

export const percent = (share) => (share === null ? "–" : `${(100 * share).toFixed(1)} %`);

export const wholePercent = (share) => (share === null ? "" : `${Math.round(100 * share)} %`);

export function milliseconds(value) {
  if (value === null) return "–";
  return value < 10 ? value.toFixed(2) : value.toFixed(value < 100 ? 1 : 0);
}

export function quantiles({ p50, p99 }) {
  return p50 === null ? "–" : `${milliseconds(p50)} / ${milliseconds(p99)} ms`;
}

export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

export function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
