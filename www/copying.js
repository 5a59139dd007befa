/**
 * What somebody marks in the log's rows, and how it is copied.
 */

/**
 * The selection, if it is one and lies in the rows.
 * @param {HTMLElement} rows
 */
export function selectedIn(rows) {
  const selection = document.getSelection();
  if (selection === null || selection.isCollapsed || selection.rangeCount === 0) return null;
  const range = selection.getRangeAt(0);
  return rows.contains(range.startContainer) ? range : null;
}

/**
 * Copies what is selected as the log has it: one line per line, a cut line in one piece, no marks.
 * @param {ClipboardEvent} event
 * @param {HTMLElement} rows
 */
export function copySelected(event, rows) {
  const selected = selectedIn(rows);
  if (selected === null || event.clipboardData === null) return;
  let text = '';
  let first = true;
  for (const element of rows.children) {
    if (!(element instanceof HTMLElement) || !element.classList.contains('line')) continue;
    if (!selected.intersectsNode(element)) continue;
    const part = document.createRange();
    part.selectNodeContents(element);
    if (element.contains(selected.startContainer)) part.setStart(selected.startContainer, selected.startOffset);
    if (element.contains(selected.endContainer)) part.setEnd(selected.endContainer, selected.endOffset);
    if (!first && element.dataset.part === undefined) text += '\n';
    text += part.toString();
    first = false;
  }
  event.clipboardData.setData('text/plain', text);
  event.preventDefault();
}
