import { open, save } from "../../savedBytes.ts";
import { megabytes } from "../terminal.ts";
import type { ChatRoom } from "./room.ts";

/** A line that begins with a slash: does something, and tells it. */
interface SlashCommand {
  readonly argument: string;
  readonly help: string;
  run(room: ChatRoom, argument: string): Promise<string> | string;
}

const DEFAULT_FILE = "chat.safetensors";

/** What a conversation is now. */
export function standing(room: ChatRoom): string {
  const { branch, branches } = room.where;
  const tokens = room.session.ids.length;
  const state = tokens === 0 ? "empty" : megabytes(room.session.state.bytes);
  return `${tokens} tokens, state ${state}${branches > 1 ? `, branch ${branch} of ${branches}` : ""}`;
}

/** Goes on from a conversation that was kept, and tells it. @throws SourceError where there is none of that name; FormatError. */
export async function loadInto(room: ChatRoom, file: string): Promise<string> {
  room.load(await open(file));
  return `loaded ${file}: ${standing(room)}`;
}

function count(argument: string, otherwise: number): number {
  return argument === "" ? otherwise : Number(argument);
}

/** The commands by name. */
export const SLASH_COMMANDS: Readonly<Record<string, SlashCommand>> = {
  save: {
    argument: "[FILE]",
    help: `keeps the conversation, ${DEFAULT_FILE} unless told`,
    run: async (room, argument) => {
      const file = argument || DEFAULT_FILE;
      await save(await room.save(), file);
      return `saved to ${file}: ${standing(room)}`;
    },
  },
  load: {
    argument: "[FILE]",
    help: "goes on from one that was kept",
    run: (room, argument) => loadInto(room, argument || DEFAULT_FILE),
  },
  fork: {
    argument: "",
    help: "goes on in a branch of its own; the former one stays as it is",
    run: (room) => {
      room.fork();
      return standing(room);
    },
  },
  branch: {
    argument: "N",
    help: "goes on in another branch",
    run: (room, argument) => {
      room.goTo(count(argument, 1));
      return standing(room);
    },
  },
  rewind: {
    argument: "[N]",
    help: "takes back the last turn, or the last N",
    run: (room, argument) => {
      room.rewind(count(argument, 1));
      return `taken back: ${standing(room)}`;
    },
  },
  system: {
    argument: "TEXT",
    help: "begins anew with a system message",
    run: (room, argument) => {
      if (!room.hasTemplate) return "the model has no chat template, and no system message";
      room.system(argument);
      return "a new conversation";
    },
  },
  state: { argument: "", help: "tells tokens and the size of the state", run: standing },
};

/** What the commands do, a line each. */
export function slashHelp(): string {
  const rows = Object.entries(SLASH_COMMANDS).map(
    ([name, { argument, help }]) => [`/${name} ${argument}`, help] as const,
  );
  return [...rows, ["/quit", "ends; so does Ctrl-D"] as const]
    .map(([name, help]) => `  ${name.padEnd(16)} ${help}`)
    .join("\n");
}
