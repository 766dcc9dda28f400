/** The command palette: every page and command by a few letters. */

import { useNavigate } from "@tanstack/react-router";
import { useId, useRef, useState, type KeyboardEvent } from "react";

import { Dialog } from "../ui/dialog";
import { Icon, type IconName } from "../ui/icons";
import { useCommands } from "./commands";
import { useNav } from "./use-nav";

interface Choice {
  id: string;
  label: string;
  icon: IconName;
  group: string;
  words: string;
  act: () => void;
}

/** Whether the letters of `asked` come in `text` in their order, word by word. */
function matches(text: string, asked: string): boolean {
  const words = asked.toLowerCase().split(/\s+/).filter(Boolean);
  return words.every((word) => text.toLowerCase().includes(word));
}

export function Palette({ onClose }: { onClose: () => void }) {
  const [asked, setAsked] = useState("");
  const [at, setAt] = useState(0);
  const id = useId();
  const list = useRef<HTMLUListElement>(null);
  const choices = useChoices().filter((one) => matches(`${one.label} ${one.words}`, asked));
  const chosen = choices[Math.min(at, choices.length - 1)];

  function go(event: KeyboardEvent) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by !== undefined && choices.length > 0) {
      event.preventDefault();
      const next = (Math.min(at, choices.length - 1) + by + choices.length) % choices.length;
      setAt(next);
      list.current?.querySelector(`[data-at="${next}"]`)?.scrollIntoView({ block: "nearest" });
    }
    if (event.key === "Enter" && chosen) {
      event.preventDefault();
      act(chosen);
    }
  }

  function act(choice: Choice) {
    onClose();
    choice.act();
  }

  return (
    <Dialog title={<span className="sr-only">Go to or do</span>} onClose={onClose} className="palette">
      <div className="palette-asked">
        <Icon name="search" />
        <input
          autoFocus
          role="combobox"
          aria-label="Go to a page, or do something"
          aria-expanded="true"
          aria-controls={id}
          aria-activedescendant={chosen && `${id}-${chosen.id}`}
          placeholder="Go to a page, or do something…"
          value={asked}
          onChange={(event) => {
            setAsked(event.target.value);
            setAt(0);
          }}
          onKeyDown={go}
        />
        <kbd>Esc</kbd>
      </div>
      <ul id={id} role="listbox" aria-label="Pages and commands" ref={list}>
        {choices.map((one, i) => (
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- the field above has the keys
          <li
            key={one.id}
            id={`${id}-${one.id}`}
            data-at={i}
            role="option"
            aria-selected={one === chosen}
            onClick={() => act(one)}
            onPointerMove={() => setAt(i)}
          >
            <Icon name={one.icon} />
            <span>{one.label}</span>
            <span className="dim">{one.group}</span>
          </li>
        ))}
      </ul>
      {choices.length === 0 && <p className="palette-none dim">Nothing is called that.</p>}
    </Dialog>
  );
}

function useChoices(): Choice[] {
  const navigate = useNavigate();
  const pages = useNav().map(
    ({ to, nav }): Choice => ({
      id: `page-${nav.key}`,
      label: nav.label,
      icon: nav.icon,
      group: nav.group,
      words: "",
      act: () => void navigate({ to }),
    }),
  );
  const commands = useCommands().map(
    (one): Choice => ({ ...one, words: one.words ?? "", group: "Action" }),
  );
  commands.sort((a, b) => a.label.localeCompare(b.label));
  return [...pages, ...commands];
}
