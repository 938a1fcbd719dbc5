// An offer to undo goes when its time is over. Without script it stays, and the portal says that it is too late.

const offer = document.querySelector("form[data-seconds]");

if (offer) {
  setTimeout(() => {
    if (offer.contains(document.activeElement)) document.querySelector("main").focus();
    offer.remove();
  }, Number(offer.dataset.seconds) * 1000);
}
