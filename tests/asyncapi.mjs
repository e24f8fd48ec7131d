// Validates an AsyncAPI document with the reference parser: node tests/asyncapi.mjs FILE
import { Parser } from "@asyncapi/parser";
import { readFileSync } from "node:fs";

const file = process.argv[2];
const { document, diagnostics } = await new Parser().parse(readFileSync(file, "utf8"), { source: file });

// Severity 0 is an error, 1 a warning; what is below is the parser's taste (a contact, a licence, tags).
const complaints = diagnostics.filter((one) => one.severity <= 1);
for (const { path, message, range } of complaints) {
  console.error(`${file}:${range.start.line + 1}: ${path.join(".")}: ${message}`);
}
process.exit(document && complaints.length === 0 ? 0 : 1);
