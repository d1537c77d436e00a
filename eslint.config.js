import path from 'node:path'
import js from '@eslint/js'
import globals from 'globals'
import tseslint from 'typescript-eslint'
import { allowedImports } from './tests/tidy/import-rule.ts'
import { rooms } from './tests/tidy/rooms.ts'

const sourceRoot = path.join(import.meta.dirname, 'src-main')

const nodeRooms = Object.keys(rooms).filter((room) => rooms[room].node === true)

export default tseslint.config(
  { ignores: ['node_modules/**', 'dist/**', 'out/**', '.cache/**'] },
  js.configs.recommended,
  { languageOptions: { globals: globals.node } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Registers, addresses and counters are printed all the time; a number in a template says what it says.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // Bounds are checked where the guest can choose an index; `!` after such a check is the honest form.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // noUncheckedIndexedAccess is off, so the rule would call a necessary check of an array element needless.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      // Matters of taste, left to the writer.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      '@typescript-eslint/no-unnecessary-type-conversion': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      'no-constant-condition': ['error', { checkLoops: false }],
    },
  },
  {
    files: ['src-main/**/*.ts'],
    plugins: { house: { rules: { 'allowed-imports': allowedImports } } },
    rules: { 'house/allowed-imports': ['error', rooms, sourceRoot] },
  },
  {
    files: ['src-main/**/*.ts'],
    ignores: [...nodeRooms.map((room) => `src-main/${room}/**`), '**/*.test.ts'],
    rules: { 'no-restricted-globals': ['error', 'process', 'Buffer', 'global', 'setImmediate', 'require'] },
  },
  { files: ['**/*.js', '**/*.mjs'], extends: [tseslint.configs.disableTypeChecked] },
)
