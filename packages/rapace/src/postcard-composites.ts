// What is made of other types. Structs, tuples and fixed arrays are their parts, one behind the other.
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { nameOf, PostcardType, type AnyType, type Complain, type ValueOf } from "./postcard-type.ts";
import { fail, PostcardError } from "./postcard-bytes.ts";

/** `Option<T>`; none is `undefined`, so what it may hold must never be. @throws TypeError */
export function option<T>(type: PostcardType<T>): PostcardType<T | undefined> {
  if (type.name.startsWith("Option<") || type.name === "()")
    throw new TypeError(`an option of ${type.name} cannot be told from none: use an enumeration`);
  return new PostcardType<T | undefined>({
    name: `Option<${type.name}>`,
    least: 1,
    write(writer, value) {
      writer.byte(value === undefined ? 0 : 1);
      if (value !== undefined) type.form.write(writer, value);
    },
    read(reader) {
      const kind = reader.byte();
      if (kind > 1) fail("an option is 0 or 1");
      return kind === 1 ? type.form.read(reader) : undefined;
    },
    check(value, path, complain) {
      if (value !== undefined) type.form.check(value, path, complain);
    },
  });
}

/** `Vec<T>`. For `Vec<u8>` take `bytes`. */
export function sequence<T>(type: PostcardType<T>): PostcardType<readonly T[]> {
  return new PostcardType<readonly T[]>({
    name: `Vec<${type.name}>`,
    least: 1,
    write(writer, values) {
      writer.varint(values.length);
      for (const value of values) type.form.write(writer, value);
    },
    read: (reader) => {
      const values: T[] = [];
      for (let left = reader.count(type.form.least); left > 0; left--) values.push(type.form.read(reader));
      return values;
    },
    check(value, path, complain) {
      if (!Array.isArray(value)) return complain(`expected an array, got ${nameOf(value)}`, path);
      for (const [i, each] of value.entries()) type.form.check(each, [...path, i], complain);
    },
  });
}

/** `[T; n]`. */
export function array<T>(type: PostcardType<T>, length: number): PostcardType<readonly T[]> {
  const all = sequence(type);
  return new PostcardType<readonly T[]>({
    name: `[${type.name}; ${length}]`,
    least: type.form.least * length,
    write(writer, values) {
      for (const value of values) type.form.write(writer, value);
    },
    read(reader) {
      reader.elements(length);
      return Array.from({ length }, () => type.form.read(reader));
    },
    check(value, path, complain) {
      if (!Array.isArray(value) || value.length !== length)
        return complain(`expected an array of ${length}, got ${nameOf(value)}`, path);
      all.form.check(value, path, complain);
    },
  });
}

/** `HashMap<K, V>`, written in the order of its entries. Keys are compared as a `Map` does. */
export function map<K, V>(key: PostcardType<K>, value: PostcardType<V>): PostcardType<ReadonlyMap<K, V>> {
  return new PostcardType<ReadonlyMap<K, V>>({
    name: `HashMap<${key.name}, ${value.name}>`,
    least: 1,
    write(writer, entries) {
      writer.varint(entries.size);
      for (const [each, of] of entries) {
        key.form.write(writer, each);
        value.form.write(writer, of);
      }
    },
    read(reader) {
      const entries = new Map<K, V>();
      for (let left = reader.count(key.form.least + value.form.least); left > 0; left--)
        entries.set(key.form.read(reader), value.form.read(reader));
      return entries;
    },
    check(given, path, complain) {
      if (!(given instanceof Map)) return complain(`expected a Map, got ${nameOf(given)}`, path);
      for (const [each, of] of given as Map<unknown, unknown>) {
        key.form.check(each, [...path, String(each)], complain);
        value.form.check(of, [...path, String(each)], complain);
      }
    },
  });
}

type Values<P extends readonly AnyType[]> = { [I in keyof P]: ValueOf<P[I]> };

/** A tuple; as the arguments of a method there may be none. */
export function tuple<const P extends readonly AnyType[]>(...types: P): PostcardType<Values<P>> {
  return new PostcardType<Values<P>>({
    name: `(${types.map(({ name }) => name).join(", ")})`,
    least: types.reduce((sum, { form }) => sum + form.least, 0),
    write(writer, values) {
      for (const [i, type] of types.entries()) type.form.write(writer, values[i]);
    },
    read: (reader) => types.map((type): unknown => type.form.read(reader)) as Values<P>,
    check(value, path, complain) {
      if (!Array.isArray(value) || value.length !== types.length)
        return complain(`expected ${types.length} values, got ${nameOf(value)}`, path);
      for (const [i, type] of types.entries()) type.form.check(value[i], [...path, i], complain);
    },
  });
}

type Fields = Readonly<Record<string, AnyType>>;
type Struct<F extends Fields> = { readonly [K in keyof F]: ValueOf<F[K]> };

/** A struct. Its fields are written in the order they are named here, which must be Rust's. */
export function struct<const F extends Fields>(fields: F): PostcardType<Struct<F>> {
  const entries = Object.entries(fields);
  return new PostcardType<Struct<F>>({
    name: "struct",
    least: entries.reduce((sum, [, { form }]) => sum + form.least, 0),
    write(writer, value) {
      for (const [name, type] of entries) type.form.write(writer, value[name]);
    },
    read: (reader) =>
      Object.fromEntries(
        entries.map(([name, type]): [string, unknown] => [name, type.form.read(reader)]),
      ) as Struct<F>,
    check(value, path, complain) {
      if (typeof value !== "object" || value === null)
        return complain(`expected an object, got ${nameOf(value)}`, path);
      const given = value as Readonly<Record<string, unknown>>;
      for (const [name, type] of entries) type.form.check(given[name], [...path, name], complain);
    },
  });
}

type Variant<F extends Fields> = {
  [K in keyof F & string]: ValueOf<F[K]> extends undefined
    ? { readonly type: K; readonly value?: undefined }
    : { readonly type: K; readonly value: ValueOf<F[K]> };
}[keyof F & string];

/** An enum, its variants in Rust's order; `unit` for those without fields. A value is `{ type, value }`. */
export function enumeration<const F extends Fields>(variants: F): PostcardType<Variant<F>> {
  const entries = Object.entries(variants);
  const indexes = new Map(entries.map(([name], i) => [name, i]));
  return new PostcardType<Variant<F>>({
    name: "enum",
    least: 1 + Math.min(...entries.map(([, { form }]) => form.least)),
    write(writer, { type, value }) {
      writer.varint(indexes.get(type)!);
      variants[type]!.form.write(writer, value);
    },
    read(reader) {
      const [name, type] = entries[reader.varint(32)] ?? fail(`a variant that is none of ${entries.length}`);
      const value: unknown = type.form.read(reader);
      return (value === undefined ? { type: name } : { type: name, value }) as Variant<F>;
    },
    check(value, path, complain) {
      const given = value as { readonly type?: unknown; readonly value?: unknown } | null | undefined;
      const name = given?.type;
      const known = typeof name === "string" && indexes.has(name) ? variants[name] : undefined;
      if (known === undefined)
        return complain(`expected one of ${entries.map(([of]) => of).join(", ")}`, path);
      known.form.check(given?.value, [...path, "value"], complain);
    },
  });
}

/** `Result<T, E>`: an error that is the application's, and part of an answer that succeeds. */
export function result<T, E>(
  ok: PostcardType<T>,
  error: PostcardType<E>,
): ReturnType<typeof enumeration<{ Ok: PostcardType<T>; Err: PostcardType<E> }>> {
  return enumeration({ Ok: ok, Err: error });
}

/**
 * A type whose values also satisfy a schema, of any Standard Schema vendor: checked before they are written and after
 * they are read. The schema must answer at once, and may not change what a value is.
 */
export function checked<T>(type: PostcardType<T>, schema: StandardSchemaV1<T>): PostcardType<T> {
  const check = (value: unknown, path: readonly PropertyKey[], complain: Complain): void => {
    const outcome = schema["~standard"].validate(value);
    if (outcome instanceof Promise) throw new TypeError("a schema of a postcard type cannot be asynchronous");
    for (const issue of outcome.issues ?? [])
      complain(issue.message, [
        ...path,
        ...(issue.path ?? []).map((part) => (typeof part === "object" ? part.key : part)),
      ]);
  };
  return new PostcardType<T>({
    ...type.form,
    read(reader) {
      const value = type.form.read(reader);
      check(value, [], (message, path) => {
        throw new PostcardError(message, path);
      });
      return value;
    },
    check(value, path, complain) {
      let wrong = 0;
      type.form.check(value, path, (message, where) => {
        wrong++;
        complain(message, where);
      });
      if (wrong === 0) check(value, path, complain);
    },
  });
}
