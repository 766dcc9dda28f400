/** What keys do on this page. */

import { Dialog } from "../ui/dialog";
import { keyCaps, useShortcuts, useSingleKeys } from "./keys";

export function Shortcuts({ onClose }: { onClose: () => void }) {
  const shortcuts = useShortcuts();
  const [single, setSingle] = useSingleKeys();
  const shown = [...new Map(shortcuts.map((one) => [one.keys, one])).values()];
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl className="shortcuts">
        {shown.map((one) => (
          <div key={one.keys}>
            <dt>{one.label}</dt>
            <dd>
              {keyCaps(one.keys).map((key, i) => (
                <kbd key={i}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
        <div>
          <dt>Close what is open</dt>
          <dd>
            <kbd>Esc</kbd>
          </dd>
        </div>
      </dl>
      <label className="check">
        <input
          type="checkbox"
          checked={single}
          onChange={(event) => setSingle(event.target.checked)}
        />
        Single keys act (turn off for speech input)
      </label>
    </Dialog>
  );
}
