/** One number of a benchmark. */

export interface Figure {
  /** `part/what`, stable from run to run. */
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** What it should be: `<= 50`, `>= 1.5`. */
  readonly goal?: string;
}
