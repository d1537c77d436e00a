import path from 'node:path'
import js from '@eslint/js'
import svelte from 'eslint-plugin-svelte'
import globals from 'globals'
import tseslint from 'typescript-eslint'
import { allowedImports } from './tests/tidy/import-rule.ts'
import { rooms } from './tests/tidy/rooms.ts'

const sourceRoot = path.join(import.meta.dirname, 'src-main')

const nodeRooms = Object.keys(rooms).filter((room) => rooms[room].node === true)

export default tseslint.config(
  { ignores: ['node_modules/**', 'dist/**', 'out/**', '.cache/**'] },
  js.configs.recommended,
  { ignores: ['src-renderer/**'], languageOptions: { globals: globals.node } },
  { files: ['src-renderer/**'], languageOptions: { globals: globals.browser } },
  {
    files: ['**/*.ts', '**/*.cts', '**/*.svelte'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: {
        projectService: true,
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: ['.svelte'],
      },
    },
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
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
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
  // After the rules for TypeScript: its parser reads the scripts inside Svelte's.
  ...svelte.configs.recommended,
  {
    files: ['src-renderer/**/*.svelte', 'src-renderer/**/*.svelte.ts'],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
    rules: {
      // A prop is declared with `let` where one of its neighbours is bindable.
      'prefer-const': 'off',
      // Most maps of a store are its own affair; what is shown is a rune or a SvelteMap.
      'svelte/prefer-svelte-reactivity': 'off',
      'svelte/no-useless-mustaches': 'off',
    },
  },
  {
    // The linter cannot see through imports of components and calls them `any`; svelte-check can and is the judge of types there.
    files: ['src-renderer/**/*.svelte'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    // The window knows the rest of the program by its contract alone.
    files: ['src-renderer/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: 'src-main/(?!contract/)', message: 'The window may import src-main/contract alone.' }] },
      ],
    },
  },
  {
    files: ['src-renderer/**'],
    ignores: ['**/*.test.ts'],
    rules: { 'no-restricted-globals': ['error', 'process', 'Buffer', 'global', 'require'] },
  },
  { files: ['**/*.js', '**/*.mjs'], extends: [tseslint.configs.disableTypeChecked] },
)
