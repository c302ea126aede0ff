// Messages as JSON. A Standard Schema validator checks them and gives their type. Schemas of Zod,
// Valibot and ArkType can replace this one: deno run --allow-net examples/typed_json.ts
import { connect, json, listen, type StandardSchema } from "@lengthwise/lengthwise";

interface Order {
  item: string;
  count: number;
}

const order: StandardSchema<Order> = {
  "~standard": {
    version: 1,
    vendor: "example",
    validate(value) {
      const { item, count } = Object(value);
      if (typeof item === "string" && count > 0) return { value: { item, count } };
      return { issues: [{ message: "an order has an item and a count above 0" }] };
    },
  },
};

await using server = await listen("tcp://127.0.0.1:0", { format: json(order) }, async (orders) => {
  for await (const { item, count } of orders) console.log(`${count} x ${item}`);
});
await using connection = await connect(server.endpoints[0], { format: json<Order>() });
await connection.send({ item: "tea", count: 2 });
await connection.send({ item: "cake", count: 0 }); // ends the connection at the other side
await connection.receive(); // undefined: the server has closed
