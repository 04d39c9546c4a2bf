"""New models on the register: slots, trial, return, and the errands that the updater is sent on."""
