/** The store in memory keeps the contract. */
import { MemoryStore } from '../../src/store/memory-store.ts';
import { describeStore } from './store.contract.ts';

describeStore({ name: 'memory', open: async (kept) => new MemoryStore(kept), reopen: async (store) => store, clean: () => {} });
