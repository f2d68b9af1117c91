/**
 * A name that this version of ACP does not list. An extension's begins with an underscore; one of a later version does not, but
 * has this type too, for no listed name has it, and so comparing with a listed name narrows a union to what it names.
 */
export type Unlisted = `_${string}`;
