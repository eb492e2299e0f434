"""Martlet as a BI tool meets it: Arrow Flight SQL through the stock ADBC driver, over loopback."""

import adbc_driver_flightsql.dbapi as flight_sql

from compare.engines import peer


class MartletFlight(peer.Peer):
    def open(self):
        self.connections = {}

    def close(self):
        for connection in self.connections.values():
            connection.close()

    def run(self, sql, principal):
        if principal not in self.connections:
            self.connections[principal] = flight_sql.connect(
                self.config["uri"], db_kwargs={"username": principal, "password": self.config["password"]},
                autocommit=True,
            )
        with self.connections[principal].cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetch_arrow_table()


if __name__ == "__main__":
    peer.main(MartletFlight)
