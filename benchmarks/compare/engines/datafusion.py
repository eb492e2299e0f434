"""DataFusion on the very Parquet files that Martlet wrote: what the indexes and the guard add or cost."""

import pathlib

import datafusion

from compare.engines import peer


class DataFusion(peer.Peer):
    def open(self):
        self.contexts = {}

    def close(self):
        self.contexts.clear()

    def context(self, principal):
        if principal not in self.contexts:
            self.contexts[principal] = self._context(principal)
        return self.contexts[principal]

    def _context(self, principal):
        config = (
            datafusion.SessionConfig()
            .with_target_partitions(self.config["threads"])
            .set("datafusion.execution.parquet.pushdown_filters", "true")
            .set("datafusion.execution.parquet.reorder_filters", "true")
        )
        runtime = datafusion.RuntimeEnvBuilder().with_fair_spill_pool(self.config["memory_gib"] << 30)
        context = datafusion.SessionContext(config, runtime)
        rule = self.config["row_rules"].get(principal)
        for table in self.config["tables"]:
            folder = str(pathlib.Path(self.config["segments"]) / table["name"])
            if rule and table["has_outlet"]:
                context.register_parquet(f"all_{table['name']}", folder)
                context.sql(f"CREATE VIEW {table['name']} AS SELECT * FROM all_{table['name']} WHERE {rule}")
            else:
                context.register_parquet(table["name"], folder)
        return context

    def run(self, sql, principal):
        return self.context(principal).sql(sql).to_arrow_table()

    def load(self, spec):
        return {}


if __name__ == "__main__":
    peer.main(DataFusion)
