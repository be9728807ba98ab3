import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Node, NodeFlags, SyntaxKind } from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/sync';

/** What the architecture test asks of a source file, read from its syntax tree. */
export interface SourceFacts {
  /** From the root, with forward slashes: `src/core/errors.ts`. */
  readonly path: string;
  readonly lines: number;
  /** Specifiers of all imports and re-exports, of types and dynamic ones too. */
  readonly imports: readonly string[];
  /** Imported for its effect alone: `import 'x'`. */
  readonly bareImports: readonly string[];
  readonly hasDefaultExport: boolean;
  readonly usesProcess: boolean;
  /** Variables of the module that can be assigned to again. */
  readonly mutableVariables: readonly string[];
}

/** The facts of all files of the project at `root`, by TypeScript's own parser. */
export function readSources(root: string): SourceFacts[] {
  const api = new API({ cwd: root });
  try {
    const snapshot = api.updateSnapshot({ openProject: join(root, 'tsconfig.json') });
    const [project] = snapshot.getProjects();
    if (project === undefined) throw new Error(`No project at ${root}`);
    const { program } = project;
    const prefix = `${resolve(root).replaceAll('\\', '/')}/`;
    const facts: SourceFacts[] = [];
    for (const name of program.getSourceFileNames()) {
      const file = program.getSourceFile(name);
      const isOurs = name.startsWith(prefix) && !name.includes('/node_modules/');
      if (!isOurs || file === undefined) continue;
      facts.push({
        path: name.slice(prefix.length),
        lines: readFileSync(name, 'utf8').trimEnd().split('\n').length,
        imports: file.imports.map(textOf),
        ...walk(file),
      });
    }
    snapshot.dispose();
    return facts;
  } finally {
    api.close();
  }
}

type TreeFacts = Omit<SourceFacts, 'path' | 'lines' | 'imports'>;

function walk(file: Node): TreeFacts {
  const bareImports: string[] = [];
  const mutableVariables: string[] = [];
  let hasDefaultExport = false;
  let usesProcess = false;
  const visit = (node: Node): void => {
    if (node.kind === SyntaxKind.ImportDeclaration && member(node, 'importClause') === undefined) {
      bareImports.push(textOf(member(node, 'moduleSpecifier')));
    }
    if (node.kind === SyntaxKind.ExportAssignment || node.kind === SyntaxKind.DefaultKeyword) {
      // `default:` of a switch is a clause of its own, not this keyword.
      hasDefaultExport = true;
    }
    if (node.kind === SyntaxKind.ExportSpecifier && textOf(member(node, 'name')) === 'default') {
      hasDefaultExport = true;
    }
    if (node.kind === SyntaxKind.Identifier && textOf(node) === 'process' && isUse(node)) {
      usesProcess = true;
    }
    if (node.kind === SyntaxKind.VariableDeclaration && isMutableModuleVariable(node)) {
      mutableVariables.push(textOf(member(node, 'name')));
    }
    node.forEachChild(visit);
  };
  visit(file);
  return { bareImports, mutableVariables, hasDefaultExport, usesProcess };
}

/** Not the name of something else: a property, a parameter, a member of a type. */
function isUse(identifier: Node): boolean {
  const { parent } = identifier;
  if (parent.kind === SyntaxKind.ShorthandPropertyAssignment) return true;
  if (parent.kind === SyntaxKind.PropertyAccessExpression) {
    const object = member(parent, 'expression');
    return object?.pos === identifier.pos || textOf(object) === 'globalThis';
  }
  return member(parent, 'name')?.pos !== identifier.pos;
}

function isMutableModuleVariable(declaration: Node): boolean {
  const list = declaration.parent;
  return (list.flags & NodeFlags.Const) === 0 && list.parent.parent?.kind === SyntaxKind.SourceFile;
}

/** A child by its name, whatever kind of node this is. */
function member(node: Node, name: string): Node | undefined {
  const value: unknown = Reflect.get(node, name);
  return isNode(value) ? value : undefined;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'kind' in value && 'pos' in value;
}

function textOf(node: Node | undefined): string {
  const text: unknown = node === undefined ? undefined : Reflect.get(node, 'text');
  return typeof text === 'string' ? text : '';
}
