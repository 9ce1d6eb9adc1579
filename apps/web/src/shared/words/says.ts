/** What another language must say: the same keys, whatever the words. A file that lacks one does not compile. */
export type Words<Says> = { readonly [Key in keyof Says]: Says[Key] extends string ? string : Words<Says[Key]> }
