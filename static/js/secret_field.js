// A password field may be looked at while typing. Without script it stays hidden, as ever.

for (const box of document.querySelectorAll("[data-secret]")) {
  const input = box.querySelector("input");
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button field__reveal";
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.textContent = shown ? box.dataset.hide : box.dataset.show;
    button.setAttribute("aria-label", shown ? box.dataset.hideLong : box.dataset.showLong);
  };
  show(false);
  button.addEventListener("click", () => {
    show(input.type === "password");
    input.focus();
  });
  // Sent as a password, so that the browser neither remembers nor suggests it as plain text.
  input.form.addEventListener("submit", () => show(false));
  box.append(button);
}
