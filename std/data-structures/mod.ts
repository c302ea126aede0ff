/** `@std/data-structures`, from the npm build of the same library. */
import { BinaryHeap as BinaryHeap_ } from "deno-std/data_structures/binary_heap.js";
import { ascend as ascend_ } from "deno-std/data_structures/comparators.js";
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

export interface BinaryHeap<T> extends Iterable<T> {
  readonly length: number;
  peek(): T | undefined;
  pop(): T | undefined;
  push(...values: T[]): number;
  clear(): void;
  isEmpty(): boolean;
}

export const BinaryHeap: new <T>(compare?: (a: T, b: T) => number) => BinaryHeap<T> = BinaryHeap_;
export const ascend: <T>(a: T, b: T) => -1 | 0 | 1 = ascend_;
