/** As much of vt-pbf as is used here; it comes without types. */
declare module 'vt-pbf' {
  export function fromGeojsonVt(
    layers: Readonly<Record<string, { readonly features: readonly unknown[] }>>,
    options: { readonly version: 2; readonly extent: number },
  ): Uint8Array
}
