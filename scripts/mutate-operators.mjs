// Defines the mutants: each is one small mistake in a source file. Positions come from TypeScript's
// parser.
import ts from '@typescript/typescript6';

const SWAPS = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '+': ['-'],
  '-': ['+'],
  '*': ['/'],
  '/': ['*'],
  '%': ['*'],
  '**': ['*'],
  '&': ['|'],
  '|': ['&'],
  '+=': ['-=', '='],
  '-=': ['+=', '='],
  '*=': ['/=', '='],
  '/=': ['*=', '='],
  '&=': ['|=', '='],
  '|=': ['&=', '='],
  '&&': ['||'],
  '||': ['&&'],
  '&&=': ['='],
  '||=': ['='],
  '??=': ['='],
};
const OTHER_FUNCTIONS = {
  'Math.min': 'Math.max',
  'Math.max': 'Math.min',
  'Math.ceil': 'Math.floor',
  'Math.floor': 'Math.ceil',
  'Math.round': 'Math.floor',
  'Math.abs': '',
};

/**
 * Returns all mutants of a source text in its order: `{ start, end, was, becomes, line, code }`, where
 * `code` is the complete original line.
 */
export function mutantsOf(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const lines = text.split('\n');
  const found = new Map();
  const add = (start, end, becomes) => {
    const line = source.getLineAndCharacterOfPosition(start).line;
    const mutant = { file, start, end, was: text.slice(start, end), becomes, line: line + 1 };
    if (mutant.was === becomes) return;
    found.set(`${start} ${end} ${becomes}`, { ...mutant, code: lines[line].trim() });
  };
  visit(source, (node, becomes) => add(node.getStart(source), node.end, becomes));
  return [...found.values()].sort((a, b) => a.start - b.start || a.end - b.end);
}

/** Calls `change(node, becomes)` for each mistake to be made at or below `node`. */
function visit(node, change) {
  if (ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node))
    return;
  if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
  mistakesIn(node, change);
  ts.forEachChild(node, (child) => visit(child, change));
}

function mistakesIn(node, change) {
  if (ts.isBinaryExpression(node)) inBinary(node, change);
  else if (ts.isPrefixUnaryExpression(node)) change(node, node.operand.getText());
  else if (ts.isNumericLiteral(node)) inNumber(node, change);
  else if (ts.isCallExpression(node)) inCall(node, change);
  else if (ts.isReturnStatement(node)) inReturn(node, change);
  else if (ts.isExpressionStatement(node)) change(node, ';');
  else if (ts.isBreakOrContinueStatement(node)) change(node, ';');
  else if (node.kind === ts.SyntaxKind.TrueKeyword) change(node, 'false');
  else if (node.kind === ts.SyntaxKind.FalseKeyword) change(node, 'true');
  if (node.questionDotToken !== undefined) {
    const isDot = ts.isPropertyAccessExpression(node);
    change(node.questionDotToken, isDot ? '.' : '');
  }
  inCondition(node, change);
}

function inBinary({ left, operatorToken, right }, change) {
  const operator = operatorToken.getText();
  for (const other of SWAPS[operator] ?? []) change(operatorToken, other);
  if (operator === '??') {
    change(left.parent, left.getText());
    change(left.parent, right.getText());
  }
}

function inNumber(node, change) {
  const value = Number(node.getText().replaceAll('_', ''));
  change(node, `${value + 1}`);
  if (value !== 0) change(node, '0');
}

function inCall({ expression }, change) {
  const other = OTHER_FUNCTIONS[expression.getText()];
  if (other !== undefined) change(expression, other);
}

function inReturn(node, change) {
  const returned = node.expression?.getText();
  if (returned === 'undefined') return;
  if (returned !== undefined) change(node, 'return;');
  // A single statement after an `if` is already skipped by the mutant that forces the condition to
  // false.
  else if (ts.isBlock(node.parent)) change(node, ';');
}

function inCondition(node, change) {
  if (ts.isIfStatement(node)) {
    change(node.expression, 'true');
    change(node.expression, 'false');
  } else if (ts.isConditionalExpression(node)) {
    change(node.condition, 'true');
    change(node.condition, 'false');
  } else if (ts.isWhileStatement(node)) change(node.expression, 'false');
  else if (ts.isForStatement(node) && node.condition) change(node.condition, 'false');
}
