// The next macrotask, as soon as the runtime has one. setTimeout(0) waits for a millisecond or more.
type Task = () => void;

const immediate = (globalThis as { setImmediate?: (task: Task) => void }).setImmediate;

/** Runs `task` once every microtask that is due has run. */
export const macrotask: (task: Task) => void = immediate ?? ((task) => channel().post(task));

interface Channel {
  post(task: Task): void;
}

let shared: Channel | undefined;

// Browsers: a message channel to oneself, made on first use.
function channel(): Channel {
  if (shared !== undefined) return shared;
  const { port1, port2 } = new MessageChannel();
  const tasks: Task[] = [];
  port1.addEventListener("message", () => tasks.shift()?.());
  port1.start();
  shared = {
    post(task: Task): void {
      tasks.push(task);
      port2.postMessage(0);
    },
  };
  return shared;
}
