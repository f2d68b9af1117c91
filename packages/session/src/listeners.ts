// The application's listeners run in the middle of our own work. One that throws harms neither the session nor whoever
// else listens: `onHandlerError` is told.
import type { Observer } from "@sluice/core";
import type { SessionOptions } from "./connect.ts";

type Listeners = Pick<SessionOptions, "onFault" | "onDraining" | "onHandlerError" | "onLeak" | "observer">;
type Report = (error: unknown, name: string) => void;

/** The same options, their listeners made so that they do not throw. */
export function withSafeListeners<O extends Listeners>(
  options: O,
): O & Required<Pick<Listeners, "onHandlerError">> {
  const { onFault, onDraining, onHandlerError = report, onLeak, observer } = options;
  const told = safe("onHandlerError", onHandlerError, report);
  return {
    ...options,
    onHandlerError: told,
    ...(onFault && { onFault: safe("onFault", onFault, told) }),
    ...(onDraining && { onDraining: safe("onDraining", onDraining, told) }),
    ...(onLeak && { onLeak: safe("onLeak", onLeak, told) }),
    ...(observer && { observer: safeObserver(observer, told) }),
  };
}

function safeObserver(observer: Observer, told: Report): Observer {
  const of = <K extends keyof Observer>(name: K): Pick<Observer, K> => {
    const listener = observer[name]?.bind(observer) as ((...args: unknown[]) => void) | undefined;
    return (listener === undefined ? {} : { [name]: safe(`observer.${name}`, listener, told) }) as Pick<
      Observer,
      K
    >;
  };
  return { ...of("frame"), ...of("call"), ...of("stream"), ...of("credit") };
}

function safe<A extends unknown[]>(
  name: string,
  listener: (...args: A) => void,
  told: Report,
): (...args: A) => void {
  return (...args) => {
    try {
      listener(...args);
    } catch (error) {
      told(error, name);
    }
  };
}

/** What happens to an error of a handler or a listener where nobody asked to be told. */
function report(error: unknown, name: string): void {
  // oxlint-disable-next-line no-console -- an error nobody hears of is worse
  console.error(`sluice: ${JSON.stringify(name.slice(0, 100))} failed:`, error);
}
