#!/usr/bin/env node
import { main } from "./run-command-line";

void main();
