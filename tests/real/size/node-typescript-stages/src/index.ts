import Redis from "ioredis";
import pino from "pino";
import { z } from "zod";

const log = pino();
const Job = z.object({ id: z.string() });
const redis = new Redis();
redis.on("message", (_, text) => log.info(Job.parse(JSON.parse(text))));
