// Light, dark, or as the system has it.

const SAYS = { "": "as the system", light: "light", dark: "dark" };

export function setUpTheme(button) {
  const show = (theme) => {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    button.setAttribute("aria-label", `Theme: ${SAYS[theme]}`);
    button.title = `Theme: ${SAYS[theme]}`;
  };
  let theme = localStorage.getItem("odia-ocr-theme") ?? "";
  if (!(theme in SAYS)) theme = "";
  show(theme);
  button.addEventListener("click", () => {
    const order = Object.keys(SAYS);
    theme = order[(order.indexOf(theme) + 1) % order.length];
    localStorage.setItem("odia-ocr-theme", theme);
    show(theme);
  });
}
