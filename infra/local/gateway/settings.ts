/** What whoever starts the gateway tells it; the functions read their own variables. */

export interface Settings {
  readonly port: number;
  /** Unlike any other gateway's: says to the one who started it that it is this one that answers. */
  readonly mark: string;
  readonly postgrestUrl: string;
  /** Folder of the public bucket, or null when the artifacts are served elsewhere. */
  readonly bucketFolder: string | null;
  /** Name of the public bucket. */
  readonly bucket: string;
}

export function readSettings(variables: (name: string) => string | undefined): Settings {
  const required = (name: string): string => {
    const value = variables(name);
    if (value === undefined) throw new Error(`${name} is not set`);
    return value;
  };
  return {
    port: Number(required("GATEWAY_PORT")),
    mark: required("GATEWAY_MARK"),
    postgrestUrl: required("GATEWAY_POSTGREST_URL"),
    bucketFolder: variables("GATEWAY_BUCKET_FOLDER") ?? null,
    bucket: required("GATEWAY_BUCKET"),
  };
}
