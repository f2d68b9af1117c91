// Capabilities that ACP does not name: booleans under a vendor's name in the `_meta` of a client's or an agent's capabilities,
// beside the version of what the vendor means by them.

/** What has a `_meta`: client or agent capabilities, or any other object of ACP's. */
export interface HasMeta {
  readonly _meta?: Record<string, unknown> | null;
}

/** One capability of a vendor's: `_meta.<vendor>.<name>`. */
export class MetaCapability {
  readonly vendor: string;
  readonly name: string;
  readonly version: string;

  /** @param version said beside the capability wherever it is added. Default "1.0". */
  constructor(vendor: string, name: string, version: string = "1.0") {
    this.vendor = vendor;
    this.name = name;
    this.version = version;
  }

  /** Whether it is there: with any value but false and null. */
  isIn(capabilities: HasMeta | null | undefined): boolean {
    const { _meta } = capabilities ?? {};
    const value = own(own(_meta, this.vendor), this.name);
    return value !== undefined && value !== null && value !== false;
  }

  /** A copy that has it. All else under the vendor's name stays; its `version` becomes this one's. */
  addTo<C extends HasMeta>(capabilities: C): C {
    const { _meta } = capabilities;
    const vendor = { ...asObject(own(_meta, this.vendor)), version: this.version, [this.name]: true };
    return { ...capabilities, _meta: { ..._meta, [this.vendor]: vendor } };
  }

  /** A copy that has it not; the same object where it was not there. */
  removeFrom<C extends HasMeta>(capabilities: C): C {
    const { _meta } = capabilities;
    const vendor = asObject(own(_meta, this.vendor));
    if (!Object.hasOwn(vendor, this.name)) return capabilities;
    const { [this.name]: _, ...rest } = vendor;
    return { ...capabilities, _meta: { ..._meta, [this.vendor]: rest } };
  }
}

function own(value: unknown, name: string): unknown {
  const object = asObject(value);
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function asObject(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}
