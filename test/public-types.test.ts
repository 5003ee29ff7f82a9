import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as ts from "typescript";

// An object of another version of cdk8s-plus fits no class of this one, nor its enum: so no prop may ask for either.

const root = resolve(__dirname, "..");

interface Definition {
  readonly exports: Readonly<Record<string, string>>;
}

function entriesOf(name: string): string[] {
  const { exports: entries } = JSON.parse(readFileSync(join(root, `packages/${name}.json`), "utf8")) as Definition;
  return Object.values(entries).flatMap((module) => (module.includes("*") ? [] : [join(root, `${module}.ts`)]));
}

/** Finds where what a package takes is a class or an enum of cdk8s-plus. */
class Finder {
  public readonly found = new Set<string>();
  private readonly checker: ts.TypeChecker;
  private seen = new Set<ts.Type>();

  public constructor(private readonly program: ts.Program) {
    this.checker = program.getTypeChecker();
  }

  public findIn(entry: string): void {
    const module = this.checker.getSymbolAtLocation(this.program.getSourceFile(entry)!)!;
    for (const exported of this.checker.getExportsOfModule(module)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(exported) : exported;
      if (symbol.valueDeclaration === undefined) continue;
      const type = this.checker.getTypeOfSymbol(symbol);
      for (const signature of [...type.getConstructSignatures(), ...type.getCallSignatures()]) {
        this.visitParameters(signature, symbol.name);
      }
      if (!(symbol.flags & ts.SymbolFlags.Class)) continue;
      for (const member of this.checker.getDeclaredTypeOfSymbol(symbol).getProperties()) {
        const declaration = member.declarations?.[0];
        if (declaration === undefined || !isOwn(declaration) || isPrivate(declaration)) continue;
        for (const signature of this.checker.getTypeOfSymbol(member).getCallSignatures()) {
          this.visitParameters(signature, `${symbol.name}.${member.name}`);
        }
      }
    }
  }

  private visitParameters(signature: ts.Signature, of: string): void {
    for (const parameter of signature.parameters) {
      this.seen = new Set();
      this.visit(this.checker.getTypeOfSymbol(parameter), `${of}(${parameter.name})`);
    }
  }

  private visit(type: ts.Type, at: string): void {
    if (type.isUnionOrIntersection()) {
      for (const each of type.types) this.visit(each, at);
      return;
    }
    if (type.flags & ts.TypeFlags.EnumLike) {
      if (isOfPlus(type.symbol)) this.found.add(`${at}: an enum`);
      return;
    }
    if (!(type.flags & ts.TypeFlags.Object) || this.seen.has(type)) return;
    this.seen.add(type);
    const { symbol } = type as { readonly symbol?: ts.Symbol };
    for (const argument of this.checker.getTypeArguments(type as ts.TypeReference)) this.visit(argument, at);
    if (symbol !== undefined && symbol.flags & ts.SymbolFlags.Class) {
      if (isOfPlus(symbol) && !isPlain(type)) this.found.add(`${at}: class ${symbol.name}`);
      return; // one of our own, or of cdk8s
    }
    if (symbol?.declarations?.some((each) => !isOwn(each)) === true && !isOfPlus(symbol)) return; // as a list
    for (const { type: item } of this.checker.getIndexInfosOfType(type)) this.visit(item, at);
    for (const signature of type.getCallSignatures()) {
      for (const parameter of signature.parameters) this.visit(this.checker.getTypeOfSymbol(parameter), `${at}()`);
    }
    for (const property of type.getProperties()) {
      this.visit(this.checker.getTypeOfSymbol(property), `${at}.${property.name}`);
    }
  }
}

function isOfPlus(symbol: ts.Symbol): boolean {
  return (
    symbol.declarations?.some((each) => each.getSourceFile().fileName.includes("node_modules/cdk8s-plus")) === true
  );
}

function isOwn(declaration: ts.Declaration): boolean {
  return !declaration.getSourceFile().fileName.includes("node_modules");
}

function isPrivate(declaration: ts.Declaration): boolean {
  return (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Private) !== 0;
}

/** A class without private members, as those of generated types, is taken by its shape. */
function isPlain(type: ts.Type): boolean {
  return !type.getProperties().some((each) => each.declarations?.some(isPrivate));
}

test("what the constructs take is no class and no enum of cdk8s-plus", () => {
  const entries = entriesOf("aidbox-secrets");
  expect(entries.length).toBeGreaterThan(5);
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.Node16,
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    lib: ["lib.es2022.d.ts"],
    types: ["node"],
  };
  const host = ts.createCompilerHost(options);
  host.jsDocParsingMode = ts.JSDocParsingMode.ParseNone; // as tsc does: a third of the time
  const finder = new Finder(ts.createProgram(entries, options, host));
  for (const entry of entries) finder.findIn(entry);
  expect([...finder.found]).toEqual([]);
});
