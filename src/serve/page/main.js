// Shows the state of the home.
const state = document.getElementById("state");
const answer = await fetch("api/v1/status");
const body = await answer.json();
state.textContent = answer.ok
  ? `vintage ${body.vintage}, last closed month ${body.last_closed_month ?? "–"}`
  : body.detail;
