// Shows what the workspace holds, once a second, and starts what a person starts in FiftyOne.
//
// What arrives is only ever set as text. A part of the page is drawn anew only if what it shows has changed, so that
// focus, selection and a screen reader's place stay.
"use strict";

const EVERY_MS = 1000;
const GOOD = ["SUCCESS"];
const UNDECIDED = ["QUEUED", "BLOCKED", "PENDING", "RUNNING", "TERMINATING"];
const $ = (id) => document.getElementById(id);

/** An answer of the workspace that says no, in its own words. */
class Refusal extends Error {}
/** No answer, or one that is not this workspace's. */
class Silence extends Error {}

let wake = () => {};
// The heading of what the address asks for, which gets the focus once it is shown.
let asked = "";
let away = false;
// What is being started, and the last of it, whose run is shown.
const starting = new Set();
let last = "";
// The run whose log is shown, how much of each task's log is, and whether all of it is.
let opened = { id: "", ends: {}, complete: false };
// Runs that were started from here and whose end is still to be told.
const awaited = new Set();
const drawn = new WeakMap();

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function draw(id, data, build) {
  const text = JSON.stringify(data), place = $(id);
  if (drawn.get(place) === text) return;
  drawn.set(place, text);
  const focused = document.activeElement.id;
  place.replaceChildren(...[build(data)].flat());
  if (focused && document.activeElement.id !== focused) $(focused)?.focus({ preventScroll: true });
}

function table(headings, rows, empty) {
  if (!rows.length) return make("p", {}, empty);
  const head = headings.map(([text, kind]) => make("th", { scope: "col", class: kind }, text));
  const body = rows.map(({ cells, current }) =>
    make("tr", { "aria-current": current ? "true" : undefined }, ...cells.map((cell, at) =>
      make(at ? "td" : "th", { scope: at ? undefined : "row", class: headings[at][1] }, cell ?? ""))));
  return make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body));
}

function list(pairs) {
  return make("dl", {}, ...pairs.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

const lines = (first, second) => make("span", {}, first, make("br"), second);
const link = (id, hash, text) => make("a", { id, href: hash }, text);
const runLink = (run) => link(`run-${run.id}`, `#job/${run.job_id}/run/${run.id}`, run.id);
function time(ms) {
  const at = new Date(ms), today = at.toDateString() === new Date().toDateString();
  return make("time", { datetime: at.toISOString() }, today ? at.toLocaleTimeString() : at.toLocaleString());
}

const took = (run) => (run.ended ? `${((run.end_time - run.start_time) / 1000).toFixed(1)} s` : "");
const command = (run) => make("code", {}, run.parameters.command ?? "");

function state(word) {
  const kind = GOOD.includes(word) ? "good" : UNDECIDED.includes(word) ? "" : "bad";
  return make("span", { class: `state ${kind}` }, word);
}

/** What the address asks for: `#job/ID`, as Databricks writes it, and `#job/ID/run/ID`. */
function wanted() {
  const [, job, run] = /^#job\/([^/]+)(?:\/run\/([^/]+))?$/.exec(location.hash) ?? [];
  return { job, run };
}

function say(text) {
  $("said").textContent = text;
}

async function ask(path, options = {}, seconds = 10) {
  const signal = AbortSignal.timeout(seconds * 1000);
  let answer, body;
  try {
    answer = await fetch(path, { ...options, signal });
    body = await answer.json();
  } catch {
    throw new Silence("the workspace does not answer.");
  }
  if (!answer.ok) throw new Refusal(body.message);
  return body;
}

async function start(what, orchestrator, verb, body) {
  last = what;
  if (starting.has(what)) return;
  starting.add(what);
  say(`${what}: starting a run …`);
  try {
    const path = `/console/orchestrators/${encodeURIComponent(orchestrator)}/${verb}`;
    const started = await ask(path, { method: "POST", body: JSON.stringify(body) }, 90);
    awaited.add(String(started.run_id));
    say(`${what}: run ${started.run_id} has started.`);
    if (last === what) location.hash = new URL(started.run_page_url).hash;
  } catch (problem) {
    say(`${what}: ${problem.message}`);
  } finally {
    starting.delete(what);
  }
}

function orchestrator(found) {
  const title = `orchestrator-${found.id}`;
  const refresh = () => start(`Refreshing the operators of ${found.id}`, found.id, "refresh", {});
  const run = (operator) => start(`Running ${operator}`, found.id, "delegate", { operator });
  const operators = found.operators.map((operator) => make("li", {}, make("code", {}, operator), make("button", {
    id: `run-${found.id}-${operator}`, type: "button", "aria-label": `Run ${operator} on ${found.id}`,
    click: () => run(operator),
  }, "Run")));
  return make("article", { "aria-labelledby": title },
    make("h3", { id: title }, found.id),
    make("p", {}, found.description ?? ""),
    list([
      ["Job", link(`job-of-${found.id}`, `#job/${found.job_id}`, found.job_id)],
      ["Secrets", make("code", {}, Object.values(found.secrets).join(" "))],
      ["Operators", operators.length ? String(operators.length) : "none is known yet: refresh them"],
    ]),
    make("ul", { "aria-label": `Operators of ${found.id}` }, ...operators),
    make("button", { id: `refresh-${found.id}`, type: "button", click: refresh }, "Refresh operators"));
}

function drawView(view) {
  const { job, run } = wanted();
  const runs = view.runs.filter((each) => !job || each.job_id === job);
  draw("orchestrators", view.orchestrators, (all) =>
    (all.length ? all.map(orchestrator) : make("p", {}, "None is registered.")));
  draw("runs-title", job ?? "", () => (job ? [`Runs of job ${job} `, link("all-runs", "#", "show all")] : "Runs"));
  draw("runs", [runs, run ?? ""], () => table(
    [["Run", "short"], ["Command"], ["Started, took", "number"]],
    runs.map((each) => ({
      cells: [lines(runLink(each), state(each.state)), command(each), lines(time(each.start_time), took(each))],
      current: each.id === run,
    })), make("span", {}, "None was started: run an operator, or say ", make("code", {}, "make run"), ".")));
  draw("jobs", [view.jobs, job ?? ""], () => table([["Job", "short"], ["Tasks"], ["Runs at once", "number"]],
    view.jobs.map((each) => ({
      cells: [lines(each.name, link(`job-${each.id}`, `#job/${each.id}`, each.id)),
        each.tasks.join(", "), String(each.max_concurrent_runs)],
      current: each.id === job,
    })), "There is none."));
  draw("pools", view.pools, (pools) => table(
    [["Pool"], ["Node type"], ["Min idle", "number"], ["Max capacity", "number"]], pools.map((pool) => ({
      cells: [pool.instance_pool_name, pool.node_type_id, String(pool.min_idle_instances ?? 0),
        String(pool.max_capacity ?? "no limit")],
    })), "There is none."));
  const secrets = [...Object.entries(view.scopes).map(([name, keys]) => [`Scope ${name}`, keys]),
    ["FiftyOne", view.fiftyone_secrets]];
  draw("secrets", secrets, () => secrets.flatMap(([holder, keys]) => [make("h3", {}, holder),
    make("ul", { "aria-label": `Secrets: ${holder}` },
      ...(keys.length ? keys : ["none"]).map((key) => make("li", {}, make("code", {}, key))))]));
  draw("files", view.files, (files) => table([["Path"], ["Bytes", "number"]], files.map((file) => ({
    cells: [make("code", {}, file.path), file.size === undefined ? "" : file.size.toLocaleString()],
  })), "There is none."));
  for (const each of view.runs) {
    if (each.ended && awaited.delete(each.id)) say(`Run ${each.id} has ended: ${each.state}.`);
  }
  // Without a run in the address, the newest one is followed.
  return run ?? runs[0]?.id;
}

async function showRun(id) {
  if (opened.id !== id) {
    opened = { id, ends: {}, complete: false };
    $("logs").replaceChildren();
    draw("run-title", id, () => `Run ${id}`);
  }
  if (opened.complete) return;
  const run = await ask(`/console/data/runs/${encodeURIComponent(id)}?${new URLSearchParams(opened.ends)}`);
  if (opened.id !== id) return;
  const { logs, ...about } = run;
  draw("run", about, () => list([
    ["State", make("span", {}, state(run.state), run.message ? ` ${run.message}` : "")],
    ["Job", link("job-of-run", `#job/${run.job_id}`, `${run.name} (${run.job_id})`)],
    ["Command", command(run)],
    ["Started by", run.creator],
    ["Started", time(run.start_time)],
    ...(run.ended ? [["Took", took(run)]] : []),
  ]));
  logs.forEach(showLog);
  opened.complete = run.ended;
}

function showLog(log) {
  const title = `task-${log.id}`;
  let shown = $(`log-${log.id}`);
  if (!shown) {
    shown = make("pre", { id: `log-${log.id}`, role: "log", tabindex: "0", "aria-labelledby": title });
    $("logs").append(make("h3", { id: title }), shown, make("p", { id: `error-${log.id}`, class: "bad", hidden: "" }));
  }
  draw(title, [log.task, log.state], () => [`Log of task ${log.task}: `, state(log.state)]);
  const atEnd = shown.scrollTop + shown.clientHeight >= shown.scrollHeight - 4;
  // Of a long log only the end is told, whole; it stands in place of what was shown.
  if (log.begin !== (opened.ends[log.id] ?? 0)) shown.replaceChildren();
  if (log.text) shown.append(log.text);
  opened.ends[log.id] = log.end;
  if (atEnd) shown.scrollTop = shown.scrollHeight;
  draw(`error-${log.id}`, log.error, () => log.error);
  $(`error-${log.id}`).hidden = !log.error;
}

function answering(yes) {
  if (away === !yes && $("answers").dataset.told) return;
  away = !yes;
  $("answers").dataset.told = "yes";
  document.body.classList.toggle("away", away);
  $("answers").className = away ? "bad" : "";
  $("answers").replaceChildren(...(away
    ? ["The workspace does not answer. Below is what it held last. ", make("code", {}, "make up"),
      " starts it, and this page then goes on by itself."]
    : [`It answers at ${location.host}, and this page follows it.`]));
}

async function look() {
  try {
    const id = drawView(await ask("/console/data/view"));
    if (away) opened = { id: "", ends: {}, complete: false };
    answering(true);
    $("run").parentElement.hidden = !id;
    if (id) await showRun(id);
    if (asked && !$(asked).closest("[hidden]")) {
      $(asked).focus();
      asked = "";
    }
  } catch (problem) {
    if (problem instanceof Silence) return answering(false);
    if (!(problem instanceof Refusal)) throw problem;
    draw("run", problem.message, () => make("p", { class: "bad" }, problem.message));
  }
}

function go() {
  const { job, run } = wanted();
  asked = job ? (run ? "run-title" : "runs-title") : "";
  wake();
}

addEventListener("hashchange", go);
document.addEventListener("visibilitychange", () => wake());
(async () => {
  go();
  for (;;) {
    if (!document.hidden) await look();
    await new Promise((resolve) => { wake = resolve; setTimeout(resolve, EVERY_MS); });
  }
})();
