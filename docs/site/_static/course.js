// What scrolls can be reached by keyboard, too.
document.addEventListener("DOMContentLoaded", () => {
  for (const element of document.querySelectorAll(".bd-content pre, .pst-scrollable-table-container, .cell_output .output")) {
    if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
  }
});
