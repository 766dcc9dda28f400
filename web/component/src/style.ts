/** How it looks; a host changes the variables, or parts by `::part()`. */

const LIGHT = "--_bg:#fff;--_fg:#1b1f24;--_muted:#57606a;--_line:#d0d7de;--_accent:#0a58ca;--_bad:#b3261e;--_good:#136c3a";
const DARK = "--_bg:#15191e;--_fg:#e6e9ed;--_muted:#a0a8b2;--_line:#3a424b;--_accent:#7db1ff;--_bad:#ff9b94;--_good:#7fd6a0";

const TEXT = `
:host{display:block;box-sizing:border-box;padding:var(--glaze-padding,1rem);font:var(--glaze-font,14px/1.45 system-ui,sans-serif);
 color:var(--glaze-color,var(--_fg));background:var(--glaze-background,var(--_bg));border:1px solid var(--glaze-border-color,var(--_line));
 border-radius:var(--glaze-radius,8px);${LIGHT}}
:host([hidden]){display:none}
@media (prefers-color-scheme:dark){:host(:not([theme=light])){${DARK}}}
:host([theme=dark]){${DARK}}
p,ul,ol,dl,dd{margin:0;padding:0}ul{list-style:none}
.standing,.kind,.message,.stage,dt{color:var(--glaze-muted-color,var(--_muted))}
.standing{font-size:.85em}
.announced{position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.job+.job{border-top:1px solid var(--glaze-border-color,var(--_line));margin-top:.75em;padding-top:.75em}
.head{display:flex;flex-wrap:wrap;gap:.25em .75em;align-items:baseline;overflow-wrap:anywhere}
.state{margin-inline-start:auto;font-weight:600}
.state[data-state=completed]{color:var(--glaze-success-color,var(--_good))}
.state[data-state=failed],.state[data-state=dead],.error,.stage[data-failed=true]{color:var(--glaze-error-color,var(--_bad))}
.error,.message{overflow-wrap:anywhere}
progress{inline-size:100%;block-size:.5em;accent-color:var(--glaze-accent-color,var(--_accent))}
.counts{display:flex;flex-wrap:wrap;gap:.25em 1.25em}.counts div{display:flex;gap:.4em}dd{font-variant-numeric:tabular-nums}
.stages{padding:0;margin-block:.5em;list-style:none;font-variant-numeric:tabular-nums}
.stage{display:flex;gap:1em;padding-block:.1em}.stage .name{flex:1;min-inline-size:0;overflow-wrap:anywhere}.stage .price{min-inline-size:5em;text-align:end}
.action:first-of-type{margin-block-start:.75em}
button{font:inherit;margin-block-start:.5em;margin-inline-end:.5em;min-block-size:2em;padding:.2em .9em;cursor:pointer;background:none;
 color:var(--glaze-accent-color,var(--_accent));border:1px solid currentColor;border-radius:var(--glaze-radius,6px)}
button:focus-visible{outline:2px solid currentColor;outline-offset:2px}
button[aria-disabled=true]{opacity:.6;cursor:default}
@media (prefers-reduced-motion:no-preference){button{transition:background-color .15s}}
`;

let sheet: CSSStyleSheet | undefined;

/** One sheet for all elements: a policy that forbids inline styles allows it. */
export function sheetOf(): CSSStyleSheet {
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(TEXT);
  }
  return sheet;
}
