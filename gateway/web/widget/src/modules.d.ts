declare module "*.css" {
  const text: string;
  export default text;
}

declare module "canongate:texts" {
  export const names: readonly string[];
  export const languages: Readonly<Record<string, string>>;
}
