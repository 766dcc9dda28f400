/** Criteria under a name, for all who work there. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { api, told, type Schemas } from "../../api/client";
import { useMay } from "../../api/session";
import { Button, Field, IconButton } from "../../ui/controls";
import { Dialog } from "../../ui/dialog";
import { textOf } from "../../ui/form";
import { ProblemBox } from "../../ui/states";
import { toast, toastError } from "../../ui/toast";
import { fromQuery, isEmpty, toQuery, type Criteria } from "./criteria";

type View = Schemas["ViewOut"];
const KEY = ["views", "jobs"];

export function Views({ criteria, look }: { criteria: Criteria; look: (next: Criteria) => void }) {
  const mayWrite = useMay("editor");
  const client = useQueryClient();
  const [saves, setSaves] = useState(false);
  const { data: views = [] } = useQuery({
    queryKey: KEY,
    queryFn: () => told(api.GET("/v1/views", { params: { query: { list: "jobs" } } })),
  });
  const again = () => client.invalidateQueries({ queryKey: KEY });
  const save = useMutation({
    mutationFn: (name: string) =>
      told(api.POST("/v1/views", { body: { list: "jobs", name, query: toQuery(criteria) } })),
    onSuccess: again,
  });
  const remove = useMutation({
    mutationFn: ({ id }: View) => told(api.DELETE("/v1/views/{view_id}", { params: { path: { view_id: id } } })),
    onSuccess: async (_, { name, query }) => {
      await again();
      const back = () => api.POST("/v1/views", { body: { list: "jobs", name, query } }).then(again, toastError);
      toast({ text: `View ${name} is deleted.`, undo: () => void back() });
    },
    onError: toastError,
  });
  const now = signature(criteria);
  const current = views.find((one) => signature(fromQuery(one.query)) === now);
  return (
    <>
      {views.length > 0 && (
        <select
          className="input view"
          aria-label="Saved view"
          value={current?.id ?? ""}
          onChange={(event) => {
            const view = views.find((one) => one.id === Number(event.target.value));
            look(view ? fromQuery(view.query) : {});
          }}
        >
          <option value="">{isEmpty(criteria) || current ? "All jobs" : "Not a saved view"}</option>
          {views.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </select>
      )}
      {mayWrite && current && (
        <IconButton label={`Delete the view ${current.name}`} icon="close" onClick={() => remove.mutate(current)} />
      )}
      {mayWrite && !current && !isEmpty(criteria) && (
        <Button icon="plus" onClick={() => setSaves(true)}>
          Save view
        </Button>
      )}
      {saves && (
        <Dialog title="Save this view" onClose={() => setSaves(false)}>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              const name = textOf(new FormData(event.currentTarget), "name");
              save.mutate(name, { onSuccess: () => setSaves(false) });
            }}
          >
            {save.error && <ProblemBox error={save.error} />}
            <Field label="Name" name="name" required maxLength={100} autoFocus hint="Everybody in the workspace sees it." />
            <div className="actions">
              <Button onClick={() => setSaves(false)}>Leave it</Button>
              <Button type="submit" kind="primary" busy={save.isPending}>
                Save
              </Button>
            </div>
          </form>
        </Dialog>
      )}
    </>
  );
}

/** Alike where the criteria are, whatever their order. */
function signature(criteria: Criteria): string {
  return JSON.stringify(Object.entries(toQuery(criteria)).toSorted(([a], [b]) => a.localeCompare(b)));
}
