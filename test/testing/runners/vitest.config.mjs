export default { test: { include: ['**/vitest.suite.mjs'] } }
