// How blocks of other languages are parsed, and a minimal peer in them is given the vectors. A peer
// defines `answer(message)`; the program around it answers a JSON list of texts with one of answers.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

function write(folder, name, code) {
  const file = join(folder, name);
  writeFileSync(file, code);
  return file;
}

const PYTHON = `
import json, sys
print(json.dumps([answer(text) for text in json.load(open(sys.argv[1], encoding='utf-8'))]))
`;

const PHP = `
$texts = json_decode(file_get_contents($argv[1]));
echo json_encode(array_map('answer', $texts));
`;

const GO = `
func main() {
	file, _ := os.ReadFile(os.Args[1])
	var texts []string
	if err := json.Unmarshal(file, &texts); err != nil { panic(err) }
	answers := []interface{}{}
	for _, text := range texts {
		if said, ok := answer(text); ok { answers = append(answers, said) } else { answers = append(answers, nil) }
	}
	out, _ := json.Marshal(answers)
	fmt.Println(string(out))
}
`;

/** Go wants its imports on top: those of the block are joined with ours. */
function goProgram(code) {
  const own = [...code.matchAll(/^import "([^"]+)"$/gm)].map((match) => match[1]);
  const imports = new Set(['encoding/json', 'fmt', 'os', ...own]);
  const body = code.replace(/^package main$|^import "[^"]+"$/gm, '');
  return `package main\n\nimport (${[...imports].map((name) => `"${name}"`).join('; ')})\n${body}${GO}`;
}

export const LANGUAGES = {
  python: {
    tool: 'python3',
    parse: (file) => [
      'python3',
      ['-c', 'import ast, sys; ast.parse(open(sys.argv[1]).read())', file],
    ],
    program: (folder, code) => write(folder, 'peer.py', code + PYTHON),
    run: (file, texts) => ['python3', [file, texts]],
  },
  php: {
    tool: 'php',
    parse: (file) => ['php', ['-l', file]],
    program: (folder, code) => {
      const opened = code.startsWith('<?php') ? code : `<?php\n${code}`;
      return write(folder, 'peer.php', opened + PHP);
    },
    run: (file, texts) => ['php', [file, texts]],
  },
  go: {
    tool: 'go',
    parse: (file) => ['gofmt', ['-e', '-l', file]],
    program: (folder, code) => write(folder, 'peer.go', goProgram(code)),
    run: (file, texts) => ['go', ['run', file, texts]],
  },
};
