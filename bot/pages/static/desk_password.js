// Logging in and choosing a password: the button that shows what is typed, and the case that was asked for.
const form = document.querySelector("form");
if (form && location.hash) form.action += location.hash; // the browser keeps it on the way to the desk
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
