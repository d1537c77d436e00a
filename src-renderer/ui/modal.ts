/** Opens a modal dialog; what it returns closes it and gives the keyboard back to what had it. */
export function openModal(dialog: HTMLDialogElement): () => void {
  const before = document.activeElement
  dialog.showModal()
  return () => {
    dialog.close()
    // The browser itself gives it back only when the dialog is still in the page then.
    if (before instanceof HTMLElement && before.isConnected) before.focus()
  }
}
