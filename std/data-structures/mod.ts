/** `@std/data-structures`, from the npm build of the same library. */
import { Deque as Deque_ } from "deno-std/data_structures/deque.js";

export interface Deque<T> extends Iterable<T> {
  readonly length: number;
  isEmpty(): boolean;
  pushBack(...values: T[]): number;
  pushFront(...values: T[]): number;
  popBack(): T | undefined;
  popFront(): T | undefined;
  peekFront(): T | undefined;
  peekBack(): T | undefined;
  removeFirst(predicate: (value: T, index: number, deque: this) => boolean): T | undefined;
  clear(): void;
}

export const Deque: new <T>(source?: Iterable<T>) => Deque<T> = Deque_;
