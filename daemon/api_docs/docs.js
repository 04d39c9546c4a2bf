// Renders /openapi.json for people. Everything enters the page as text.

const METHODS = ["get", "put", "post", "delete"];

const make = (tag, text = "", className = "") => {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
};

function resolve(schema, document_) {
  if (!schema?.$ref) return schema ?? {};
  return schema.$ref.slice(2).split("/").reduce((node, key) => node?.[key], document_) ?? {};
}

function typeOf(schema, document_) {
  if (schema.$ref) return typeOf(resolve(schema, document_), document_);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.anyOf) return schema.anyOf.map((choice) => typeOf(choice, document_)).join(" | ");
  if (schema.type === "array") return `list of ${typeOf(schema.items ?? {}, document_)}`;
  return schema.title && schema.properties ? schema.title : (schema.type ?? "any");
}

function fields(schema, document_, prefix = "") {
  const rows = [];
  const whole = resolve(schema, document_);
  for (const [name, property] of Object.entries(whole.properties ?? {})) {
    const required = (whole.required ?? []).includes(name) ? "" : ", optional";
    rows.push([prefix + name, typeOf(property, document_) + required, property.description ?? ""]);
    const inner = property.items ?? property.anyOf?.find((choice) => choice.$ref) ?? property;
    if (inner.$ref) rows.push(...fields(inner, document_, `${prefix}${name}.`));
  }
  return rows;
}

function table(rows) {
  const element = make("table");
  for (const [name, type, meaning] of rows) {
    const row = make("tr");
    const head = make("th");
    head.append(make("code", name));
    row.append(head, make("td", type), make("td", meaning));
    element.append(row);
  }
  return element;
}

function operation(method, path, description, document_) {
  const box = make("details");
  const summary = make("summary");
  summary.append(make("span", method.toUpperCase(), `method ${method}`), make("code", path), make("span", description.summary));
  const body = make("div");
  if (description.description) body.append(make("p", description.description));
  if (description.parameters?.length) {
    body.append(make("h3", "Parameters"), table(description.parameters.map((one) => [
      one.name, `${one.in}, ${typeOf(one.schema ?? {}, document_)}${one.required ? "" : ", optional"}`, one.description ?? "",
    ])));
  }
  const request = description.requestBody?.content?.["application/json"]?.schema;
  if (request) body.append(make("h3", "Body"), table(fields(request, document_)));
  for (const [status, answer] of Object.entries(description.responses ?? {})) {
    body.append(make("h3", `${status} ${answer.description ?? ""}`));
    const content = Object.values(answer.content ?? {})[0]?.schema;
    if (content) body.append(table(fields(content, document_)));
  }
  box.append(summary, body);
  return box;
}

const main = document.getElementById("operations");
try {
  const answer = await fetch("/openapi.json");
  const api = await answer.json();
  document.getElementById("title").textContent = `${api.info.title} ${api.info.version}`;
  document.getElementById("description").textContent = api.info.description ?? "";
  const groups = new Map();
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const method of METHODS.filter((name) => methods[name])) {
      const tag = methods[method].tags?.[0] ?? "other";
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push(operation(method, path, methods[method], api));
    }
  }
  main.replaceChildren(...[...groups].flatMap(([tag, boxes]) => [make("h2", tag), ...boxes]));
} catch (error) {
  main.replaceChildren(make("p", `The description cannot be read: ${error}. Is the service still running?`));
}
main.setAttribute("aria-busy", "false");
