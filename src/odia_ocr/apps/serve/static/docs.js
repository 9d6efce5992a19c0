// The description of the API, drawn from the server's own openapi.json.

import { setUpTheme } from "/static/theme.js";

setUpTheme(document.getElementById("theme"));

function element(name, text = "", className = "") {
  return Object.assign(document.createElement(name), { textContent: text, className });
}

function table(heads, rows) {
  const made = document.createElement("table");
  const head = made.createTHead().insertRow();
  head.append(...heads.map((text) => Object.assign(element("th", text), { scope: "col" })));
  const body = made.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const text of row) line.insertCell().textContent = text;
  }
  return made;
}

const plain = (markdown) => markdown.replaceAll("`", "");

const schemaName = (schema) => schema?.$ref?.split("/").at(-1);

/** An example of a schema, of the examples of its fields. */
function exampleOf(schema, schemas) {
  if (!schema) return null;
  if (schema.$ref) return exampleOf(schemas[schemaName(schema)], schemas);
  if (schema.examples) return schema.examples[0];
  if (schema.default !== undefined) return schema.default;
  if (schema.anyOf) return exampleOf(schema.anyOf.find(({ type }) => type !== "null"), schemas);
  if (schema.enum) return schema.enum[0];
  if (schema.type === "array") return schema.items ? [exampleOf(schema.items, schemas)] : [];
  if (schema.type === "object") {
    return Object.fromEntries(Object.entries(schema.properties ?? {}).map(
      ([name, field]) => [name, exampleOf(field, schemas)],
    ));
  }
  return { string: "", integer: 1, number: 0.5, boolean: true }[schema.type] ?? null;
}

function showBody(body, schemas) {
  if (!body) return [];
  return Object.entries(body.content).map(([type, { schema }]) => {
    if (type === "multipart/form-data") {
      const fields = Object.entries(schemas[schemaName(schema)].properties);
      return table(["Form field", "Meaning"], fields.map(([name, { description }]) => [name, description ?? ""]));
    }
    return element("pre", JSON.stringify(exampleOf(schema, schemas), null, 2));
  });
}

function showAnswer(answers, schemas) {
  const [status, answer] = Object.entries(answers).find(([code]) => code.startsWith("2"));
  const schema = answer.content?.["application/json"]?.schema;
  if (!schema?.$ref) return [];
  return [element("p", `Answer ${status}`, "hint"), element("pre", JSON.stringify(exampleOf(schema, schemas), null, 2))];
}

function showOperation(path, method, operation, schemas) {
  const article = document.createElement("article");
  const title = document.createElement("h3");
  const code = element("code", ` ${path}`);
  code.prepend(element("span", method.toUpperCase(), "method"));
  title.append(code);
  article.append(title, element("p", operation.summary));
  const [says, ...examples] = (operation.description ?? "").split(/\n\n(?= {4}|curl)/);
  if (says) article.append(element("p", plain(says), "hint"));
  for (const example of examples) article.append(element("pre", example.trim()));
  const parameters = (operation.parameters ?? []).map((parameter) => [
    parameter.name, parameter.in, parameter.description ?? "", String(parameter.schema.default ?? ""),
  ]);
  if (parameters.length) article.append(table(["Parameter", "In", "Meaning", "Default"], parameters));
  article.append(...showBody(operation.requestBody, schemas), ...showAnswer(operation.responses, schemas));
  const errors = Object.entries(operation.responses).filter(([status]) => status >= "400");
  if (errors.length) {
    article.append(table(["Error", "Meaning"], errors.map(([status, { description }]) => [status, description])));
  }
  return article;
}

const described = await (await fetch("/openapi.json")).json();
document.getElementById("about").textContent = plain(described.info.description);
const groups = new Map();
for (const [path, methods] of Object.entries(described.paths)) {
  for (const [method, operation] of Object.entries(methods)) {
    const tag = operation.tags?.[0] ?? "other";
    if (!groups.has(tag)) groups.set(tag, []);
    groups.get(tag).push(showOperation(path, method, operation, described.components.schemas));
  }
}
for (const [tag, articles] of groups) {
  document.getElementById("operations").append(element("h2", tag[0].toUpperCase() + tag.slice(1)), ...articles);
}
