// Logging in and choosing a password: the button that shows what is typed.
const reveal = document.getElementById("reveal");
const field = document.getElementById("password");
if (reveal && field) {
  reveal.hidden = false;
  reveal.setAttribute("aria-label", "Toon wachtwoord");
  reveal.addEventListener("click", () => {
    const shown = field.type === "password";
    field.type = shown ? "text" : "password";
    reveal.textContent = shown ? "Verberg" : "Toon";
    reveal.setAttribute("aria-label", shown ? "Verberg wachtwoord" : "Toon wachtwoord");
    field.focus();
  });
}
