// The ranking of one dataset, metric and family of noises; every number leads to its cells.

views.push({
  name: "leaderboard",
  title: "Leaderboard",
  render(root) {
    const metric = currentMetric();
    const own = facts.standings.filter((one) => one.dataset === state.data && one.metric === metric.name);
    const scope = choice("Noises", "scope", own.map((one) => [one.scope, one.scope === "all" ? "All families" : one.scope]));
    root.append(el("div", { class: "controls" }, scope, modelPicker()));
    const standing = own.find((one) => one.scope === state.scope);
    if (!standing) {
      root.append(el("p", {}, `No cells of ${metric.label} on ${state.data} are shared by the models.`));
      return;
    }
    const rows = standing.rows.filter((row) => !state.hidden.includes(row.model));
    const within = standing.scope === "all" ? "" : `, ${standing.scope} noise`;
    const caption = [el("b", {}, `${metricTitle(metric)} on ${state.data}${within}.`), ` ${standing.images} images, ${standing.cells} cells.`];
    root.append(
      sortedTable("leaderboard", caption, leaderboardColumns(standing, rows, metric), rows, { pinned: (row) => modelNamed(row.model).reference }),
      leaderboardNotes(standing, rows));
  },
});

function leaderboardColumns(standing, rows, metric) {
  const domain = domainOf(rows);
  const score = (row, column, value, changes = {}) => {
    const mark = row.best.includes(column) ? "best" : row.unreached?.includes(column) ? "unreached" : null;
    const to = { view: "cells", a: row.model, noise: "", level: null, seed: null, image: "", ...changes };
    return isMissing(value) ? "–" : link(number(metric, value), to, { class: mark });
  };
  const { noise, level } = facts.trained;
  const trained = noiseNamed(noise)?.label ?? noise;
  const first = bestFirst(metric);
  const columns = [
    { key: "model", title: "model", first: "up", class: "name", value: (row) => modelNamed(row.model).label, show: (row) => modelLabel(modelNamed(row.model)) },
    { key: "ood", title: "OOD mean", first, class: "main", value: (row) => row.ood, show: (row) => score(row, "ood", row.ood), note: "Mean over the other noises" },
    {
      key: "interval", title: barTitle("95 % interval", metric, domain), first, class: "text", value: (row) => row.low,
      show: (row) => (isMissing(row.low) ? "–" : el("span", { class: "interval" },
        link(`${number(metric, row.low)} to ${number(metric, row.high)}`, { view: "cells", a: row.model, noise: "", level: null, seed: null }),
        bar({ ...row, mean: row.ood }, domain, inkOf(modelNamed(row.model))))),
    },
    { key: "rank", title: "rank", first: "up", value: (row) => row.rank_low && row.rank_low + row.rank_high / 1e4, show: rankOf, note: "The best and the worst place that the tests leave a model" },
    { key: "group", title: "group", first: "up", class: "text", value: (row) => row.group || null, show: (row) => row.group || "–", note: "Models that share a letter cannot be told apart" },
    {
      key: "in_distribution", title: `${trained} ${level}`, first, value: (row) => row.in_distribution, note: "In distribution: the noise and level of training",
      show: (row) => score(row, "in_distribution", row.in_distribution, { noise, level }),
    },
    { key: "seconds", title: "s/image", first: "up", value: (row) => row.seconds, show: (row) => secondsOf(row.seconds) },
  ];
  const turned = standing.noises.map((name) => ({
    key: `noise ${name}`, title: noiseNamed(name).label, turned: true, first, note: noiseNamed(name).note || null,
    value: (row) => row.noises[name], show: (row) => score(row, name, row.noises[name], { noise: name }),
  }));
  const all = [...columns, ...turned];
  return all.filter((column) => rows.some((row) => !isMissing(column.value(row))));
}

const rankOf = (row) => (isMissing(row.rank_low) ? "–" : row.rank_low === row.rank_high ? String(row.rank_low) : `${row.rank_low}–${row.rank_high}`);
const secondsOf = (value) => (isMissing(value) ? "–" : value < 0.01 ? "<0.01" : value.toFixed(value < 10 ? 2 : 0));

function leaderboardNotes(standing, rows) {
  const gone = standing.rows.length - rows.length;
  const notes = [...standing.sentences];
  if (gone) notes.unshift(`Ranks, groups and bold type are those among all ${standing.rows.length} models, of which ${gone} are hidden.`);
  return el("ul", { class: "notes" }, [...notes, ...facts.footnotes.filter((note) => !notes.includes(note))].map((note) => el("li", {}, note)));
}
