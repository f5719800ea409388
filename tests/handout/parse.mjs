// Parses PowerShell scripts; prints, for each, where the grammar does not hold.
import fs from "fs";
import { Language, Parser } from "web-tree-sitter";

await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load("node_modules/tree-sitter-powershell/tree-sitter-powershell.wasm"));

function errors(node) {
  const here = node.isError || node.isMissing ? [`${node.startPosition.row + 1}: ${node.text.slice(0, 60)}`] : [];
  return node.hasError ? here.concat(...node.children.map(errors)) : here;
}

const read = (name) => fs.readFileSync(name, "utf8").replace(/^\ufeff/, "");
const found = process.argv.slice(2).map((name) => {
  const root = parser.parse(read(name)).rootNode;
  const list = errors(root);
  return root.hasError && list.length === 0 ? ["somewhere"] : list;
});
console.log(JSON.stringify(found));
