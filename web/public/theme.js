// Before the first paint, so that a chosen theme does not flash; see src/shell/theme.ts.
try {
  var theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch (error) {
  console.info("no storage: the theme is the system's", error);
}
