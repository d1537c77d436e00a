/** What axe calls serious in a page. */
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright'

export async function serious(page: Page): Promise<string[]> {
  // The terminal's content is the guest's, and the rows of bytes are all alike.
  const axe = new AxeBuilder({ page })
    .exclude('.xterm')
    .exclude('.line:nth-child(n+5)')
    .options({ resultTypes: ['violations'] })
  const { violations } = await axe.analyze()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)}`))
}
