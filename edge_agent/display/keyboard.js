// Arrow keys inside a group of buttons, one Tab stop per group of radio buttons.

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** Let arrows, Home and End move the focus among `group`'s buttons; `onMove` hears of each new one. */
export function arrowKeys(group, onMove = () => {}) {
  group.addEventListener("keydown", (event) => {
    const buttons = [...group.querySelectorAll("button")];
    const here = buttons.indexOf(document.activeElement);
    if (here < 0) return;
    let next = null;
    if (event.key in STEPS) next = (here + STEPS[event.key] + buttons.length) % buttons.length;
    if (event.key === "Home") next = 0;
    if (event.key === "End") next = buttons.length - 1;
    if (next === null) return;
    event.preventDefault();
    buttons[next].focus();
    onMove(buttons[next]);
  });
}
