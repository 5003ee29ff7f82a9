// A policy pack: `pulumi preview --policy-pack FOLDER` refuses a stack that breaks one of its rules.
import { PolicyPack } from "@pulumi/policy";
import { policies } from "./policies";

new PolicyPack("aidbox-secrets", { policies });
