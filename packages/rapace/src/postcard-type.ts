// A type of postcard: how its values are written, read and told from others. Each is a Standard Schema of its values,
// so that it can stand wherever one is asked for.
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { PostcardError, PostcardReader, PostcardWriter } from "./postcard-bytes.ts";

/** Told what is wrong with a value, and where. */
export type Complain = (message: string, path: readonly PropertyKey[]) => void;

/** What makes a type. */
export interface Form<T> {
  /** Rust's name of it, for errors. */
  readonly name: string;
  /** The fewest bytes a value takes. */
  readonly least: number;
  write(writer: PostcardWriter, value: T): void;
  /** @throws PostcardError */
  read(reader: PostcardReader): T;
  /** Says what keeps `value` from being written. */
  check(value: unknown, path: readonly PropertyKey[], complain: Complain): void;
}

export class PostcardType<T> implements StandardSchemaV1<T, T> {
  readonly name: string;
  readonly form: Form<T>;
  readonly "~standard": StandardSchemaV1.Props<T, T>;

  constructor(form: Form<T>) {
    this.form = form;
    this.name = form.name;
    this["~standard"] = {
      version: 1,
      vendor: "sluice",
      validate: (value) => {
        const issues: StandardSchemaV1.Issue[] = [];
        form.check(value, [], (message, path) => issues.push({ message, path }));
        return issues.length > 0 ? { issues } : { value: value as T };
      },
    };
  }

  /** @throws PostcardError that says where the value is not of the type */
  encode(value: T): Uint8Array {
    const writer = new PostcardWriter();
    this.form.check(value, [], (message, path) => {
      throw new PostcardError(message, path);
    });
    this.form.write(writer, value);
    return writer.take();
  }

  /** The value that the bytes are, all of them. @throws PostcardError */
  decode(bytes: Uint8Array): T {
    const reader = new PostcardReader(bytes);
    const value = this.form.read(reader);
    if (reader.left > 0) throw new PostcardError(`${reader.left} bytes are left behind a ${this.name}`);
    return value;
  }
}

/** A type whose values are not known here. */
// oxlint-disable-next-line typescript/no-explicit-any -- values go in and come out of a type: only `any` stands for both
export type AnyType = PostcardType<any>;

/** The values of a type. */
export type ValueOf<P> = P extends PostcardType<infer T> ? T : never;

/** A check that says one thing about a value as a whole. */
export function checkThat(test: (value: unknown) => boolean, wanted: string): Form<unknown>["check"] {
  return (value, path, complain) => {
    if (!test(value)) complain(`expected ${wanted}, got ${nameOf(value)}`, path);
  };
}

export function nameOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? (value.constructor?.name ?? "an object") : typeof value;
}
