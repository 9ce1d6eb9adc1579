/** What is wrong with an amount of money above zero; decimal commas are taken too. */
export const amountFault = <Name extends string>(
  name: Name,
  text: string,
  fault: string,
): Partial<Record<Name, string>> =>
  /^\d{1,9}([.,]\d{1,2})?$/.test(text.trim()) && Number(text.replace(',', '.')) > 0
    ? {}
    : ({ [name]: fault } as Record<Name, string>)
